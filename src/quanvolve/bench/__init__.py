"""The benchmark against everyone: `quanvolve bench`."""

from quanvolve.bench._contenders import CONTENDERS as CONTENDERS
from quanvolve.bench._environments import default_folder as default_folder
from quanvolve.bench._environments import install as install
from quanvolve.bench._report import draw_chart as draw_chart
from quanvolve.bench._report import rows as rows
from quanvolve.bench._report import short as short
from quanvolve.bench._report import write_csv as write_csv
from quanvolve.bench._rounds import run_workload as run_workload
from quanvolve.bench._workloads import WORKLOADS as WORKLOADS
