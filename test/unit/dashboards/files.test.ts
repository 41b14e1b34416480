/** The dashboards in manifests/grafana are what the code makes, and follow our conventions. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DASHBOARD_FOLDER, dashboardFiles } from '../../../scripts/dashboards/all.ts';
import { lintDashboard, panelsOf } from '../../support/dashboards/lint.ts';
import type { DashboardModel } from '../../support/dashboards/model.ts';

describe.each(dashboardFiles())('$file', ({ file, text }) => {
  const dashboard = JSON.parse(text) as DashboardModel;

  test('is up to date (else run: npm run dashboards)', () => {
    expect(readFileSync(join(DASHBOARD_FOLDER, file), 'utf8')).toBe(text);
  });

  test('follows the conventions', () => {
    expect(lintDashboard(dashboard)).toEqual([]);
  });

  test('has panels, and its name is its uid', () => {
    expect(panelsOf(dashboard).length).toBeGreaterThan(10);
    expect(dashboard.uid).toBe(`switchyard-${file.replace('.json', '')}`);
  });
});

test('there is no file that the code does not make', () => {
  expect(readdirSync(DASHBOARD_FOLDER).toSorted()).toEqual(
    dashboardFiles()
      .map(({ file }) => file)
      .toSorted(),
  );
});
