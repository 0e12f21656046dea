# Definitions as a layer of the image: docker build --file ops/image/definitions.Dockerfile --tag shop .
FROM headwaters
COPY aggregates /definitions
