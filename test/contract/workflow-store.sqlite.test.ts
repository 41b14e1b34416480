/** The workflow store contract over a SQLite file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWorkflowSqlite } from '../../src/adapters/workflow-sqlite/store.ts';
import { workflowStoreContract } from './workflow-store.ts';

workflowStoreContract('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-workflow-'));
  return {
    open: () => openWorkflowSqlite({ file: join(folder, 'workflow.db') }),
    remove: () => rm(folder, { recursive: true }),
  };
});
