"""What a server counts, in the form of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Meters:
    """The counters of one server process.

    Examples:
        >>> meters = Meters()
        >>> meters.requests.labels("GET", "/healthz", "200").inc()
        >>> b'quanvolve_requests_total{method="GET",route="/healthz",status="200"} 1.0' in meters.text()
        True
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter("quanvolve_requests", "Requests.", ("method", "route", "status"),
                                registry=self._registry)  # fmt: skip
        self.seconds = Histogram("quanvolve_request_seconds", "Time until the answer begins.", ("route",),
                                 buckets=_SECONDS, registry=self._registry)  # fmt: skip
        self.batches = Histogram("quanvolve_batch_images", "Images that are predicted together.", buckets=_IMAGES,
                                 registry=self._registry)  # fmt: skip
        self.images = Counter("quanvolve_images", "Images that were predicted.", registry=self._registry)
        self.jobs = Gauge("quanvolve_jobs", "Jobs in the database.", ("state",), registry=self._registry)
        self.streams = Gauge("quanvolve_streams", "Clients that follow jobs.", registry=self._registry)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)
