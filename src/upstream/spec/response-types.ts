import type { z } from 'zod'
import type { Schema, Simplify } from './inference.ts'

/** The schemas of the bodies that an operation accepts, by status. */
export type Responses = Readonly<Record<number, z.ZodType>>

/** A status, also if it is written as a text: `{ '200': … }`. */
type StatusOf<S> = S extends number ? S : S extends `${infer N extends number}` ? N : never

type HeadersOf<H extends Schema> = H extends z.ZodType ? { readonly headers: z.output<H> } : {}

/** The value of an operation with `responses`. It has one form per status, and `status` distinguishes them. */
export type StatusValue<R extends Responses, H extends Schema> = {
  [S in keyof R]: Simplify<{ readonly status: StatusOf<S>; readonly body: z.output<R[S]> } & HeadersOf<H>>
}[keyof R]

/** Requires `output` without `responses`. With `responses` it excludes the options that also say what a status means. */
export type OutputIf<R> = [R] extends [undefined]
  ? { readonly output: unknown }
  : { readonly output?: never; readonly nullOn?: never; readonly allowEmpty?: never }
