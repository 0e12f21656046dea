import type { z } from 'zod'

declare const wrong: unique symbol

/** A type that no value has. The compiler prints its sentence in the error. */
export interface TypeErrorMessage<Sentence extends string> {
  readonly [wrong]: Sentence
}

/** An optional schema. */
export type Schema = z.ZodType | undefined

/** The values of headers. `undefined` and `null` are not sent. */
type HeaderValues = Readonly<Record<string, string | number | bigint | boolean | undefined | null>>

/** An optional schema of request headers. */
export type HeadersSchema = z.ZodType<HeaderValues | undefined | null> | undefined

/** The input of the headers of a call. The key `headers` is optional if the schema requires no header. */
export type HeadersInput<S> = S extends z.ZodType
  ? {} extends z.input<S>
    ? { readonly headers?: z.input<S> }
    : undefined extends z.input<S>
      ? { readonly headers?: z.input<S> }
      : { readonly headers: z.input<S> }
  : {}

/** The same type, expanded so that an editor shows its properties. */
export type Simplify<T> = { [K in keyof T]: T[K] } & {}

type PathName<P extends string> = P extends `${string}{${infer N}}${infer Rest}`
  ? WithoutPlus<N> | PathName<Rest>
  : never

/** The name of a parameter. A plus sign after it, as in `/files/{path+}`, is not part of the name. */
type WithoutPlus<N extends string> = N extends `${infer Name}+` ? Name : N

/** The type of `params` for a path template: one field per name. */
export type ParamsFor<P extends string> = [PathName<P>] extends [never]
  ? undefined
  : z.ZodObject<Record<PathName<P>, z.ZodType>>

/** Refuses the path template in `Field` if it has names and there is no schema of `params`. */
export type ParamsIf<Field extends string, P extends string, Pa> = [PathName<P>] extends [never]
  ? {}
  : [Pa] extends [undefined]
    ? { readonly [F in Field]: TypeErrorMessage<MissingParams<PathName<P>>> }
    : {}

type MissingParams<N extends string> = `the template has the name {${N}}: add params: z.object({ ${N}: … })`
