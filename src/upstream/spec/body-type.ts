import type { z } from 'zod'
import type { Schema } from './inference.ts'

/** The format in which an operation writes the body of its request. */
export type BodyType = 'json' | 'form' | 'multipart' | 'text' | 'bytes'

/** A value with a text form: of a field of a form, and of a part of a multipart body. */
type Text = string | number | boolean | bigint | Date
type Nothing = null | undefined
type Several<T> = T | Nothing | readonly (T | Nothing)[]

/** The content of a file: its bytes, or a stream of them. */
type FileContent =
  | { readonly bytes: Uint8Array; readonly stream?: undefined; readonly size?: undefined }
  | (SizedStream & { readonly bytes?: undefined })

/** A stream whose size is known. */
interface SizedStream {
  readonly stream: AsyncIterable<Uint8Array>
  /** The number of bytes, which is sent as `content-length`. @default unknown, so the body is sent in chunks */
  readonly size?: number | undefined
}

/** A file of a multipart body. A file without a filename is a part that servers read as a field. */
type FilePart = FileContent & {
  /** The name that the upstream sees, without control characters and backslashes. */
  readonly filename?: string | undefined
  /** The media type, with its parameters. @default 'application/octet-stream' for a part with a filename */
  readonly type?: string | undefined
}

/** The output that a body schema needs, by body type. */
interface Outputs<T> {
  readonly json: unknown
  readonly form: Fields<T, Several<Text>>
  readonly multipart: Fields<T, Several<Text | FilePart>>
  readonly text: string
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array> | SizedStream
}

/** The outputs in words, for the message of a type error. */
interface Sentences {
  readonly json: 'JSON'
  readonly form: "with bodyType 'form', the output of body must be an object of texts or lists of texts"
  readonly multipart: "with bodyType 'multipart', the output of body must be an object of texts, files or lists of them"
  readonly text: "with bodyType 'text', the output of body must be a string"
  readonly bytes: "with bodyType 'bytes', the output of body must be a Uint8Array or a stream of them"
}

/** An object whose fields have a type. A field of an unknown type is checked when a call is made. */
type Fields<T, V> = T extends object ? { readonly [K in keyof T]: unknown extends T[K] ? unknown : V } : never

type Fits<T, B extends BodyType> = unknown extends T ? true : T extends Outputs<T>[B] | undefined ? true : false

/** Makes `body` a type error if its output cannot be written in the format of the body. */
export type BodyFor<B extends BodyType, S extends Schema> = S extends z.ZodType
  ? false extends Fits<z.output<S>, B>
    ? { readonly body: Sentences[B] }
    : {}
  : {}
