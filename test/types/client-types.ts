import type { CallResult } from '../../src/batch/result.ts'
import type { CallEvent, StreamEvent } from '../../src/client/index.ts'
import type { EndEvent, StreamEvent as ServerEvent } from '../../src/fanout/stream-event.ts'

/** Compiles only if the first type is assignable to the second. */
type Fits<From extends To, To> = From

/** The last event as JSON: its text is the body. */
type End = Omit<EndEvent, 'text'> & { readonly body: never }

// The client imports no type of the server, so that a browser needs none: each event that is sent is one that it reads.
export type Events = Fits<Exclude<ServerEvent, EndEvent>, StreamEvent>
export type Ends = Fits<
  End,
  { readonly event: Extract<StreamEvent, { body: unknown }>['event']; readonly status: number }
>
export type Headers = Fits<EndEvent['headers'], Extract<StreamEvent, { event: 'reply' }>['headers']>
export type Results = Fits<Omit<CallResult, 'problem'> & { readonly event: 'call' }, CallEvent>
