/** Where executions live: the store that the command line names. */
import type { WorkflowStore } from '../../../src/ports/workflow-store.ts';

/** Opens `sqlite:FILE` or `postgres://…`. Rejects where it cannot be opened; RangeError where it is neither. */
export async function openStore(named: string): Promise<WorkflowStore> {
  const [, file] = /^sqlite:(.+)$/.exec(named) ?? [];
  if (file !== undefined) {
    const { openWorkflowSqlite } = await import('../../../src/adapters/workflow-sqlite/store.ts');
    return openWorkflowSqlite({ file });
  }
  // `postgres:URL` and the URL alone mean the same.
  const connectionString = named.replace(/^postgres:(?=postgres(ql)?:\/\/)/, '');
  if (!/^postgres(ql)?:\/\//.test(connectionString)) {
    throw new RangeError(
      `--store must be sqlite:FILE or postgres://USER@HOST:PORT/DATABASE, not ${JSON.stringify(named)}`,
    );
  }
  const { openPostgresWorkflowStore } = await import('../../../src/adapters/workflow-postgres/store.ts');
  return openPostgresWorkflowStore({ connectionString });
}
