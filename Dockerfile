# One image for every service and for the preparation of the database; `command` says which it is.

# The manifests alone: as long as they stay the same, so do the layers with the dependencies.
FROM node:24-bookworm-slim AS manifests
WORKDIR /source
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && find . -type d -empty -delete

FROM node:24-bookworm-slim AS build
WORKDIR /source
COPY --from=manifests /source ./
# Compiling needs the types of every dependency, but none of their programs.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npx tsc -b packages/* services/* db
# What runs: compiled sources without their tests and types, and the migrations.
RUN find packages services db -path '*/dist/*' -type f '(' -name '*.test.*' -o -path '*/testing/*' -o -name '*.d.ts*' ')' -delete \
 && mkdir /app && cp -r --parents packages/*/dist services/*/dist db/dist db/migrations /app

# Only what the services use: without the embedded PostgreSQL and without the tools.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY --from=manifests /source ./
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace=services --workspace=db

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 BILLTRAIL_DATA_DIR=/data
# The volume takes its owner from this folder.
RUN install -d -o node -g node -m 0700 /data
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=build /app ./
USER node
# A service stops by itself on SIGTERM and finishes its requests first.
STOPSIGNAL SIGTERM
CMD ["node", "services/gateway/dist/main.js"]
