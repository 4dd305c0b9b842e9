# The studio: docker build -t quanvolve-studio . && docker run -p 8642:8642 -v studio:/data quanvolve-studio
FROM python:3.12-slim

WORKDIR /build
COPY constraints.txt ./
# First and pinned: an unpinned torch may bring gigabytes of CUDA packages.
RUN pip install --no-cache-dir --constraint constraints.txt torch==2.13.0
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY benchmarks/peers benchmarks/peers
RUN pip install --no-cache-dir --constraint constraints.txt '.[studio]' && rm -rf /build/*

RUN useradd --create-home --uid 1000 studio && mkdir /data && chown studio /data
USER studio
WORKDIR /data
VOLUME /data
EXPOSE 8642
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8642/healthz', timeout=4)"]
ENTRYPOINT ["quanvolve", "studio", "--host", "0.0.0.0", "--output", "/data", "--no-browser"]
