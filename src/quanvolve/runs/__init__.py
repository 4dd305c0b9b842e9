"""The folder of a run: how it is trained, continued, looked at and read again.

Importing this room loads nothing heavy: names and options serve `--help` and errors, too.
"""

from quanvolve.runs._data_options import OF_DATA as OF_DATA
from quanvolve.runs._data_options import DataOptions as DataOptions
from quanvolve.runs._files import EXPLANATION as EXPLANATION
from quanvolve.runs._files import KEPT as KEPT
from quanvolve.runs._files import ONNX_MODEL as ONNX_MODEL
from quanvolve.runs._files import RUN as RUN
from quanvolve.runs._files import begun as begun
from quanvolve.runs._files import metrics_path as metrics_path
from quanvolve.runs._files import stamp_of as stamp_of
from quanvolve.runs._files import trained as trained
from quanvolve.runs._models import Unfinished as Unfinished
from quanvolve.runs._models import data_of as data_of
from quanvolve.runs._models import load_classifier as load_classifier
from quanvolve.runs._models import load_model as load_model
from quanvolve.runs._options import MAX_SEED as MAX_SEED
from quanvolve.runs._options import OPTION_OF as OPTION_OF
from quanvolve.runs._options import TrainOptions as TrainOptions
from quanvolve.runs._options import arguments_of as arguments_of
from quanvolve.runs._options import stated as stated
from quanvolve.runs._regression import NUMBERS as NUMBERS
from quanvolve.runs._regression import errors as errors
from quanvolve.runs._results import feature_maps as feature_maps
from quanvolve.runs._results import tested_by as tested_by
from quanvolve.runs._run import Run as Run
from quanvolve.runs._run import clear as clear
from quanvolve.runs._run import locked as locked
from quanvolve.runs._run import make_folder as make_folder
from quanvolve.runs._run import read_json as read_json
from quanvolve.runs._run import read_run as read_run
from quanvolve.runs._score import Score as Score
from quanvolve.runs._score import answers as answers
from quanvolve.runs._score import evaluation as evaluation
from quanvolve.runs._score import said_of as said_of
from quanvolve.runs._score import score as score
from quanvolve.runs._seen import UNKNOWN as UNKNOWN
from quanvolve.runs._seen import config_of as config_of
from quanvolve.runs._seen import epochs_of as epochs_of
from quanvolve.runs._seen import metrics_of as metrics_of
from quanvolve.runs._seen import origin_of as origin_of
from quanvolve.runs._source import canonical as canonical
from quanvolve.runs._source import load_data as load_data
from quanvolve.runs._source import size as size
from quanvolve.runs._tasks import TASKS as TASKS
from quanvolve.runs._tasks import Task as Task
from quanvolve.runs._tasks import task_of_row as task_of_row
from quanvolve.runs._view import View as View
from quanvolve.runs._work import begin_run as begin_run
from quanvolve.runs._work import finish_run as finish_run
