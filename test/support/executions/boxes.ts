/** The boxes of the customers of a world: two tenants with two each. */
import { Box, type BoxOptions } from './box.ts';

export const TENANTS = ['acme', 'umbrella'] as const;
const BOXES_OF_A_TENANT = 2;

/** Writes the files of their watchers; nothing runs yet. */
export function prepareBoxes(common: Omit<BoxOptions, 'name' | 'tenant'>): Promise<readonly Box[]> {
  return Promise.all(
    TENANTS.flatMap((tenant) =>
      Array.from({ length: BOXES_OF_A_TENANT }, (_, index) =>
        Box.prepare({ ...common, name: `${tenant}-${index + 1}`, tenant }),
      ),
    ),
  );
}
