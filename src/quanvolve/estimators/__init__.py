"""Estimators for scikit-learn; training is by skorch."""

from quanvolve.estimators._aim import best_epoch as best_epoch
from quanvolve.estimators._aim import scores_with as scores_with
from quanvolve.estimators._aim import watched_of as watched_of
from quanvolve.estimators._checkpoint import is_history as is_history
from quanvolve.estimators._choices import LOSSES_OF as LOSSES_OF
from quanvolve.estimators._choices import MONITORS_OF as MONITORS_OF
from quanvolve.estimators._classes import warn_of_unknown_labels as warn_of_unknown_labels
from quanvolve.estimators._classifier import QuanvClassifier as QuanvClassifier
from quanvolve.estimators._disk import transform_on_disk as transform_on_disk
from quanvolve.estimators._evaluation import evaluate_classes as evaluate_classes
from quanvolve.estimators._load import load as load
from quanvolve.estimators._losses import FocalLoss as FocalLoss
from quanvolve.estimators._monitor import Monitor as Monitor
from quanvolve.estimators._regression import mae as mae
from quanvolve.estimators._regression import r2 as r2
from quanvolve.estimators._regression import rmse as rmse
from quanvolve.estimators._regressor import QuanvRegressor as QuanvRegressor
from quanvolve.estimators._said import answers_of as answers_of
from quanvolve.estimators._said import is_bright as is_bright
from quanvolve.estimators._said import polarity_of as polarity_of
from quanvolve.estimators._save import save as save
from quanvolve.estimators._transformer import QuanvTransformer as QuanvTransformer
