# The controller's image: the published package with what it needs to run, on a base without a shell. dist/ is what `npm run
# build` made, so the image and the npm package hold the same code.
#
#   npm run build && docker build --tag switchyard:0.2.0 .

FROM node:24-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No script of a package is run: none of ours needs one.
RUN npm ci --omit=dev --ignore-scripts

FROM gcr.io/distroless/nodejs24-debian13:nonroot
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY manifests/kubernetes ./manifests/kubernetes
COPY dist ./dist
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
# xDS, admin, metrics and health, watchers, replicas among themselves.
EXPOSE 18000 18001 18002 18003 18004
# Node knows the memory that the container may have; three quarters of it are for objects.
ENTRYPOINT ["/nodejs/bin/node", "--disable-warning=ExperimentalWarning", "--max-old-space-size-percentage=75", "/app/dist/main.js"]
CMD ["controller"]
