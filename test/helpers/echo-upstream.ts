import { httpUpstream } from './http-upstream.ts'

/** A server that answers each call with the headers that it came with, but for those that every call has. */
export async function echoUpstream(t: { teardown(fn: () => unknown): void }) {
  const usual = new Set(['host', 'connection', 'accept', 'accept-encoding', 'user-agent'])
  return httpUpstream(t, ({ request, json }) =>
    json(Object.fromEntries(Object.entries(request.headers).filter(([name]) => !usual.has(name)))),
  )
}
