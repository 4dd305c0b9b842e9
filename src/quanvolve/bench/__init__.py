"""The benchmark: this package, two bounds and other libraries on the same work, side by side."""

from quanvolve.bench._chart import bench_figure as bench_figure
from quanvolve.bench._contenders import Contender as Contender
from quanvolve.bench._contenders import choose_contenders as choose_contenders
from quanvolve.bench._environments import default_folder as default_folder
from quanvolve.bench._environments import install as install
from quanvolve.bench._environments import needs_install as needs_install
from quanvolve.bench._report import HEADER as HEADER
from quanvolve.bench._report import Row as Row
from quanvolve.bench._report import cells as cells
from quanvolve.bench._report import make_rows as make_rows
from quanvolve.bench._report import write_csv as write_csv
from quanvolve.bench._rounds import run_workload as run_workload
from quanvolve.bench._workloads import Workload as Workload
from quanvolve.bench._workloads import choose_workloads as choose_workloads
