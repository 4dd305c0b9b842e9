"""The options of a quantum layer, read from its signature: the one list that everything else derives its own from.

Nothing heavy is imported here, so that the command line's `--help` is answered at once.
"""

from quanvolve._options._docstring import explains as explains
from quanvolve._options._option import Option as Option
from quanvolve._options._option import word_of as word_of
from quanvolve._options._option import words_in as words_in
from quanvolve._options._said import DATA as DATA
from quanvolve._options._said import MODEL as MODEL
from quanvolve._options._said import MORE as MORE
from quanvolve._options._said import TRAINING as TRAINING
from quanvolve._options._said import Said as Said
from quanvolve._options._said import layer_fields as layer_fields
from quanvolve._options._said import of_layer as of_layer
from quanvolve._options._said import said as said
from quanvolve._options._said import with_layer as with_layer
from quanvolve._options._signature import layer_options as layer_options
from quanvolve._options._signature import layer_signature as layer_signature
from quanvolve._options._signature import model_options as model_options
from quanvolve._options._takes import takes as takes
from quanvolve._options._values import count_or_word as count_or_word
from quanvolve._options._values import parse_noise as parse_noise
from quanvolve._options._values import parse_size as parse_size
