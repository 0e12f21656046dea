# The base images of the test: the files of the context, and no instruction that runs.
FROM scratch
COPY . /
