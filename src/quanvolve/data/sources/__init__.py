"""Where data come from: one file for each kind of source; :data:`SOURCES` lists them in the order they are asked."""

from quanvolve.data.sources._source import Source as Source
from quanvolve.data.sources._sources import SOURCES as SOURCES
from quanvolve.data.sources._sources import find_source as find_source
from quanvolve.data.sources._to_predict import is_table as is_table
from quanvolve.data.sources._to_predict import read_table as read_table
from quanvolve.data.sources._unknown import known_files as known_files
from quanvolve.data.sources._unknown import unknown_path as unknown_path
