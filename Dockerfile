# The image of `headwaters serve`. docs/deploying.md describes its use.
#
# The bases are pinned by tag. The release workflow replaces each tag by its digest and records the digests.
ARG NODE_IMAGE=docker.io/library/node:24.21.0-bookworm-slim
ARG RUN_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# Only a change of a dependency invalidates the layers up to `npm ci`. The lock is reduced to the packages of the image.
COPY package.json package-lock.json /checkout/
COPY tools/image/lock.ts /checkout/tools/image/
RUN ["node", "/checkout/tools/image/lock.ts", "/app"]
COPY .npmrc ./
RUN ["npm", "ci", "--ignore-scripts"]
COPY tsconfig.json tsconfig.build.json tsconfig.browser.json tsconfig.browser.build.json ./
COPY tools/copy-page-files.cjs tools/
COPY src src
RUN ["npm", "run", "build"]
RUN ["npm", "prune", "--omit=dev", "--ignore-scripts"]
# The maps name sources that the image does not have.
RUN ["find", "dist", "-name", "*.map", "-delete"]

# No instruction runs in this stage: its base needs no shell.
FROM ${RUN_IMAGE}
LABEL org.opencontainers.image.title="Headwaters" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app/package.json /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY LICENSE tools/image/health-check.cjs /app/
# Other containers reach the service. PORT and the other settings have their defaults.
ENV HOST=0.0.0.0 NODE_ENV=production
# A number: Kubernetes cannot check with `runAsNonRoot` that a name is not root.
USER 65532:65532
WORKDIR /definitions
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["/usr/local/bin/node", "/app/health-check.cjs"]
# Node.js is process 1 and receives SIGTERM.
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/bin.cjs"]
CMD ["serve", "/definitions"]
