"""Studies: a model beside its matched controls, every trial in a table that cannot be lost, and a verdict."""

from quanvolve.study._compare import compare as compare
from quanvolve.study._contenders import CONTROLS as CONTROLS
from quanvolve.study._contenders import Contender as Contender
from quanvolve.study._contenders import contenders_for as contenders_for
from quanvolve.study._figures import accuracy_figure as accuracy_figure
from quanvolve.study._figures import difference_figure as difference_figure
from quanvolve.study._figures import learning_figure as learning_figure
from quanvolve.study._plan import Plan as Plan
from quanvolve.study._plan import Protocol as Protocol
from quanvolve.study._report import HEADER as HEADER
from quanvolve.study._report import markdown as markdown
from quanvolve.study._report import page as page
from quanvolve.study._report import table_of as table_of
from quanvolve.study._results import Results as Results
from quanvolve.study._results import Standing as Standing
from quanvolve.study._results import results_of as results_of
from quanvolve.study._statistics import Comparison as Comparison
from quanvolve.study._statistics import Outcome as Outcome
from quanvolve.study._statistics import compare_paired as compare_paired
from quanvolve.study._table import Table as Table
from quanvolve.study._work import work as work
