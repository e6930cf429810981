#!/usr/bin/env bash
# In a project that has the package installed: the command, the library, and an environment of the user's own.
set -euo pipefail
short=(--set train.iterations=2 --set train.groupsPerBatch=4 --set train.evalEpisodes=20 --workers 2)
examples=node_modules/faraday-rl/dist/docs/examples

npx --no-install faraday doctor

npx --no-install faraday train "${short[@]}" --out run --json >report.json
npx --no-install node -e '
  const { iterations, before, after, ungoverned } = require("./report.json");
  console.log({ iterations, before, after, ungoverned });
  if (iterations !== 2 || [before, after, ungoverned].some((measure) => !(measure.episodes > 0))) process.exit(1);
'
npx --no-install faraday report run

# Workers as processes, which have an entry of their own, do what threads do.
npx --no-install faraday train "${short[@]}" --set isolation=process --out run-processes --json >processes.json
cmp run/checkpoints/2/model.safetensors run-processes/checkpoints/2/model.safetensors

# npm init makes a CommonJS package, where an ES module is named .mts.
cp "$examples/quick-start.ts" quick-start.mts
ITERATIONS=2 npx --no-install node quick-start.mts

npx --no-install faraday init own --environment
npx --no-install faraday pretrain own/faraday.yaml --out own/base-policy
npx --no-install faraday train own/faraday.yaml "${short[@]}" --out own-run
