/** docs/dashboards.md lists the alerts that there are, and names panels that exist. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dashboardFiles } from '../../../scripts/dashboards/all.ts';
import { panelsOf } from '../../support/dashboards/lint.ts';
import type { DashboardModel } from '../../support/dashboards/model.ts';
import { allRules } from '../../support/dashboards/rules.ts';

const page = readFileSync(new URL('../../../docs/dashboards.md', import.meta.url), 'utf8');

test('the page and the rules name the same alerts with the same severities', () => {
  const listed = page.split('\n').flatMap((line) => {
    const [name = '', severity = ''] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim());
    return name.startsWith('Switchyard') ? [`${name} ${severity}`] : [];
  });
  const alerts = allRules().filter(({ alert }) => alert !== undefined);
  const ours = alerts.map(({ alert, labels }) => `${alert} ${labels?.['severity']}`);
  expect(listed.toSorted()).toEqual(ours.toSorted());
});

test('every panel that the page names exists', () => {
  const titles = new Set(
    dashboardFiles().flatMap(({ text }) =>
      panelsOf(JSON.parse(text) as DashboardModel).map(({ title }) => title),
    ),
  );
  const named = [...page.matchAll(/(?<![*\w])\*([A-Z][^*\n]+)\*/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !titles.has(name.replace('…', '$check')))).toEqual([]);
});
