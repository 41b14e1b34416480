/** The same answer as a table, as JSON, as YAML or as names. JSON and YAML are the API's messages in canonical JSON. */
import { type DescMessage, type MessageShape, toJson } from '@bufbuild/protobuf';
import type { Context } from './shell.ts';
import { print } from './shell.ts';
import { type Column, tableLines } from './table.ts';

/** How a list of rows is shown. */
export interface ListView<Row> {
  readonly columns: readonly Column<Row>[];
  /** For `-o name`, for example `service/manager`. */
  readonly name: (row: Row) => string;
  /** Said instead of an empty table. */
  readonly empty: string;
}

/** Prints rows in the chosen output; `message` is what JSON and YAML show. */
export async function printList<Row, Desc extends DescMessage>(
  context: Context,
  view: ListView<Row>,
  list: { readonly rows: readonly Row[]; readonly schema: Desc; readonly message: MessageShape<Desc> },
): Promise<void> {
  const { output } = context.options;
  if (output === 'json' || output === 'yaml') return printMessage(context, list.schema, list.message);
  if (output === 'name') {
    if (list.rows.length > 0) print(context, list.rows.map(view.name).join('\n'));
    return;
  }
  if (list.rows.length === 0) context.shell.stderr.write(`${view.empty}\n`);
  else print(context, listLines(context, view, list.rows).join('\n'));
}

/** The lines of a list, cut to the terminal's width where there is one. */
export function listLines<Row>(context: Context, view: ListView<Row>, rows: readonly Row[]): string[] {
  const { stdout } = context.shell;
  return tableLines(view.columns, rows, {
    wide: context.options.output === 'wide',
    ...(stdout.isTTY && { width: stdout.columns }),
  });
}

/** Prints a message of the API as JSON or, with `-o yaml`, as YAML. */
export async function printMessage<Desc extends DescMessage>(
  context: Context,
  schema: Desc,
  message: MessageShape<Desc>,
): Promise<void> {
  await printData(context, toJson(schema, message, { alwaysEmitImplicit: true }));
}

/** Prints plain data as JSON or, with `-o yaml`, as YAML. */
export async function printData(context: Context, data: unknown): Promise<void> {
  if (context.options.output !== 'yaml') return print(context, JSON.stringify(data, null, 2));
  const { stringify } = await import('yaml');
  print(context, stringify(data, { lineWidth: 0 }));
}

/** Whether a machine will read the output. */
export function isForMachines({ options }: Context): boolean {
  return options.output === 'json' || options.output === 'yaml';
}
