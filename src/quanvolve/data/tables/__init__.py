"""Tables (text, frames, what libraries hold in columns) and pairs of items and labels, and what they mean."""

from quanvolve.data.tables._assemble import PARTS as PARTS
from quanvolve.data.tables._csv import CSV_ENDINGS as CSV_ENDINGS
from quanvolve.data.tables._csv import read_csv as read_csv
from quanvolve.data.tables._frames import frame_columns as frame_columns
from quanvolve.data.tables._frames import from_columns as from_columns
from quanvolve.data.tables._frames import from_frame as from_frame
from quanvolve.data.tables._frames import is_frame as is_frame
from quanvolve.data.tables._names import listed as listed
from quanvolve.data.tables._sequences import are_labels as are_labels
from quanvolve.data.tables._sequences import is_sequence as is_sequence
from quanvolve.data.tables._streams import Stream as Stream
from quanvolve.data.tables._streams import collected as collected
from quanvolve.data.tables._table import Cells as Cells
from quanvolve.data.tables._table import Table as Table
from quanvolve.data.tables._table import joined as joined
from quanvolve.data.tables._understand import dataset_of as dataset_of
from quanvolve.data.tables._understand import values_of as values_of
from quanvolve.data.tables._unnamed import with_label as with_label
