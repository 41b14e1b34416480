// Writes the Grafana dashboards (`npm run dashboards`). test/unit/dashboards says when it is needed.
import { writeFiles } from '../write-files.ts';
import { DASHBOARD_FOLDER, dashboardFiles } from './all.ts';

writeFiles(DASHBOARD_FOLDER, dashboardFiles());
