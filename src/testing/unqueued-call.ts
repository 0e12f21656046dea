import { fileURLToPath } from 'node:url'
import type { ReceivedCall } from './received-call.ts'
import type { ScriptedUpstream } from './scripted-upstream.ts'

/** A scripted upstream, or only an origin, which may receive any call. */
type RunUpstream = Pick<ScriptedUpstream, 'origin'> & Partial<Pick<ScriptedUpstream, 'unexpected' | 'unused'>>

/**
 * Watches the upstreams of a run. The returned function returns an error for the first call since then for which
 * nothing was queued. Its stack begins at the caller of `entry`, which is usually the test.
 */
export function watchUnqueued(
  upstreams: Readonly<Record<string, RunUpstream>>,
  entry: (...input: never[]) => unknown,
): (cause?: unknown) => Error | undefined {
  const called = new Error()
  Error.captureStackTrace(called, entry)
  const watched = Object.values(upstreams).map(upstream => ({ upstream, before: upstream.unexpected?.length ?? 0 }))
  return cause => {
    for (const { upstream, before } of watched) {
      const call = upstream.unexpected?.[before]
      if (call === undefined) continue
      const names = Object.keys(upstreams).filter(name => upstreams[name] === upstream)
      return unqueuedCall(names.join(' or '), call, upstream.unused ?? [], called, cause)
    }
    return undefined
  }
}

function unqueuedCall(owner: string, call: ReceivedCall, unused: readonly string[], called: Error, cause: unknown) {
  const { method, path } = call
  const frames = String(called.stack).split('\n').slice(1)
  const place = frames.map(placeOf).find(found => found !== undefined)
  const message = [
    `${owner} received ${method} ${path}${searchOf(call)}, for which nothing is queued: ` +
      `add upstream.answer('${method} ${path}', …) before runAggregate`,
    ...(place === undefined ? [] : [`  runAggregate was called at ${place}`]),
    ...(unused.length === 0 ? [] : [`  queued and not used: ${unused.join(', ')}`]),
  ].join('\n')
  const error = new Error(message, cause === undefined ? {} : { cause })
  error.stack = [`Error: ${message}`, ...frames].join('\n')
  return error
}

/** Returns the query of a call with its question mark. */
function searchOf({ query }: ReceivedCall): string {
  const fields = new URLSearchParams()
  for (const [name, values] of Object.entries(query)) for (const value of [values].flat()) fields.append(name, value)
  return fields.size === 0 ? '' : `?${fields.toString()}`
}

/** Returns `FILE:LINE` of a frame, which is `at name (FILE:LINE:COLUMN)` or `at FILE:LINE:COLUMN`. */
function placeOf(frame: string): string | undefined {
  const text = frame.trim()
  const at = text.endsWith(')')
    ? text.slice(text.indexOf(' (') + 2, -1)
    : text.slice((text.startsWith('at async ') ? 'at async ' : 'at ').length)
  const place = at.slice(0, at.lastIndexOf(':'))
  const colon = place.lastIndexOf(':')
  // A built-in function, such as map, has no file.
  if (colon === -1 || at.startsWith('node:')) return undefined
  return at.startsWith('file:') ? fileURLToPath(place.slice(0, colon)) + place.slice(colon) : place
}
