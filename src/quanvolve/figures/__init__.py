"""Pictures of layers, images, training and calibrations: everything that draws with matplotlib."""

from quanvolve.figures import _style as style  # noqa: F401  (colours and sizes, for other pictures)
from quanvolve.figures._bloch_figure import bloch_figure as bloch_figure
from quanvolve.figures._calibration_figure import calibration_figure as calibration_figure
from quanvolve.figures._data_figure import data_figure as data_figure
from quanvolve.figures._feature_maps_figure import feature_maps_figure as feature_maps_figure
from quanvolve.figures._filter_figures import filters_figure as filters_figure
from quanvolve.figures._labels_figure import labels_figure as labels_figure
from quanvolve.figures._overview import overview_figure as overview_figure
from quanvolve.figures._purity_figure import purity_figure as purity_figure
from quanvolve.figures._reading_figures import gallery_figure as gallery_figure
from quanvolve.figures._reading_figures import reading_figure as reading_figure
from quanvolve.figures._reading_figures import response_figure as response_figure
from quanvolve.figures._residuals_figure import residuals_figure as residuals_figure
from quanvolve.figures._series_figures import series_figure as series_figure
from quanvolve.figures._spectrum_figure import spectrum_figure as spectrum_figure
from quanvolve.figures._style import save_figure as save_figure
from quanvolve.figures._training_figures import confusion_figure as confusion_figure
from quanvolve.figures._training_figures import history_figure as history_figure
from quanvolve.figures._tree_figure import tree_figure as tree_figure
from quanvolve.figures._tree_reading_figure import tree_reading_figure as tree_reading_figure
