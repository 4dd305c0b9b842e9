"""A study that goes on with more: seeds, controls and learning rates can be added, and nothing else can be changed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.study._contenders import contenders_for
from quanvolve.study._plan import USUAL_SEEDS, Plan, Protocol


@dataclass(frozen=True)
class Wanted:
    """What is given when a study is continued; None is what is not given.

    Args:
        folder: of the study, for errors.
        dataset: name of a data set, or path of a file.
        data_dir: folder of its files.
        params: arguments of the estimator that make the model.
        controls: names of controls.
        protocol: of all trainings.
        asked: how the data are read.
    """

    folder: Path
    dataset: str | None = None
    data_dir: str | None = None
    params: Mapping[str, Any] | None = None
    controls: Sequence[str] | None = None
    protocol: Protocol | None = None
    asked: Mapping[str, Any] | None = None

    def extends(self, plan: Plan, *, finished: bool) -> Plan:
        """The plan with what is wanted more; the same plan if that is nothing.

        Args:
            plan: of the study.
            finished: whether all of it is done.

        Raises:
            QuanvolveError: if anything but seeds, splits, controls and learning rates differs, or some of these are
                missing.
        """
        for name in ("dataset", "data_dir", "asked"):
            wanted = getattr(self, name)
            if wanted is not None and wanted != getattr(plan, name):
                raise self._other(name, getattr(plan, name), wanted)
        if self.params is not None:
            self._check_params(plan, self.params)
        contenders = plan.contenders
        if self.controls is not None:
            controls = [contender.name for contender in plan.contenders[1:]]
            new = contenders_for(plan.contenders[0].params, self.controls)
            self._check_lacking("controls", controls, self.controls)
            contenders += tuple(contender for contender in new[1:] if contender.name not in controls)
        protocol = plan.protocol
        if self.protocol is not None:
            wanted_protocol = _with_splits_of(plan.protocol, self.protocol)
            self._check_protocol(plan.protocol, wanted_protocol)
            protocol = replace(
                protocol,
                seeds=_joined(protocol.seeds, wanted_protocol.seeds),
                lrs=_joined(protocol.lrs, wanted_protocol.lrs),
                splits=wanted_protocol.splits,
            )
        looks = plan.looks
        if (
            finished
            and protocol != plan.protocol
            and plan.unit.can_show(len(plan.protocol.seeds), len(plan.contenders) - 1)
        ):
            looks += (len(plan.protocol.seeds),)
        return replace(plan, contenders=contenders, protocol=protocol, looks=looks)

    def _check_params(self, plan: Plan, wanted: Mapping[str, Any]) -> None:
        planned, signature = plan.contenders[0].params, inspect.signature(plan.metric.estimator())
        usual = {name: parameter.default for name, parameter in signature.parameters.items()}
        for name in dict.fromkeys((*planned, *wanted)):
            was, now = (params.get(name, usual.get(name)) for params in (planned, wanted))
            if _plain(was) != _plain(now):
                raise self._other(name, was, now)

    def _check_protocol(self, planned: Protocol, wanted: Protocol) -> None:
        for field in fields(Protocol):
            was, now = getattr(planned, field.name), getattr(wanted, field.name)
            if field.name in ("seeds", "lrs"):
                self._check_lacking(field.name, was, now)
            elif field.name == "splits" and was and now:
                continue  # the seeds are their numbers
            elif was != now:
                raise self._other(field.name, was, now)

    def _check_lacking(self, name: str, planned: Sequence[Any], wanted: Sequence[Any]) -> None:
        if lacking := [value for value in planned if value not in wanted]:
            raise QuanvolveError(
                f"`{name}` (={_shown(wanted)}) lacks {_shown(lacking)} of the study in {self.folder}, which has "
                f"{_shown(planned)}: a study can be extended, not made smaller; name all of them"
            )

    def _other(self, name: str, planned: Any, wanted: Any) -> QuanvolveError:
        return QuanvolveError(
            f"the study in {self.folder} has `{name}` {planned!r}, and {wanted!r} is given: only seeds, controls and "
            "learning rates can be added to a study; leave it out, or begin another study in another folder"
        )


def _with_splits_of(planned: Protocol, wanted: Protocol) -> Protocol:
    """What is wanted, with the unit of comparison of the plan where none is said."""
    if wanted.splits is None and planned.splits and wanted.seeds == USUAL_SEEDS:
        return replace(wanted, seeds=planned.seeds, splits=planned.splits)
    return replace(wanted, splits=planned.splits) if not wanted.splits and not planned.splits else wanted


def _joined(planned: tuple[Any, ...], wanted: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*planned, *wanted)))


def _shown(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))


def _plain(value: Any) -> Any:
    """As JSON keeps it, where it does."""
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return value
