/** A value that is not an object. */
export type Primitive = string | number | bigint | boolean | symbol | null | undefined
