/** All our dashboards, and their files as text. */
import { controlPlane } from './control-plane.ts';
import { build, type Dashboard } from './dashboard.ts';
import { delegates } from './delegates.ts';
import { rollout } from './rollout/rollout.ts';
import { traffic } from './traffic.ts';

const dashboards: readonly Dashboard[] = [rollout, traffic, delegates, controlPlane];

/** Where the files are, from the root of the repository. */
export const DASHBOARD_FOLDER = 'manifests/grafana';

/** Each file's name and content. */
export function dashboardFiles(): readonly { readonly file: string; readonly text: string }[] {
  return dashboards.map((dashboard) => ({
    file: `${dashboard.name}.json`,
    text: `${JSON.stringify(build(dashboard), undefined, 2)}\n`,
  }));
}
