// Writes the Grafana dashboards (`npm run dashboards`). test/unit/dashboards says when it is needed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DASHBOARD_FOLDER, dashboardFiles } from './all.ts';

const folder = resolve(import.meta.dirname, '../..', DASHBOARD_FOLDER);
mkdirSync(folder, { recursive: true });
for (const { file, text } of dashboardFiles()) {
  writeFileSync(join(folder, file), text);
  console.log(`${DASHBOARD_FOLDER}/${file}`);
}
