/** What JSON can say: the inputs, states and results of executions are kept as this. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
