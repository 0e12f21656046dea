import { namesCaller } from '../../core/names-caller.ts'
import type { LiveCall } from './live-call.ts'

/**
 * Returns whether the upstream can distinguish callers: by a forwarded header, by a header in the input of the call, or
 * by a header that a custom layer of `layers.call` added. A 429 is then the limit of one caller, and not evidence about
 * the capacity of the upstream.
 */
export function isCallersLimit({ spec, effort, headers }: LiveCall<unknown>): boolean {
  if (effort.namesCaller || spec.upstream.forwardHeaders.some(namesCaller)) return true
  if (spec.headers === undefined || headers === undefined) return false
  return Array.from(spec.headers.names.values()).some(name => Object.hasOwn(headers, name) && namesCaller(name))
}
