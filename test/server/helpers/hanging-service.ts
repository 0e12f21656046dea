import type { Test } from 'tap'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { startService, type Environment } from '../../helpers/service-process.ts'

/** Aggregates that never end by themselves, and one that fails with an unexpected error. */
const definitions = `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const source = defineUpstream('source', { origin: 'http://127.0.0.1:9', attemptTimeout: 60_000 }, {
  ask: operation({ path: '/', output: z.unknown() }),
})
const options = { deadline: 60_000 }
export const hung = aggregate('hung', { url: '/hung', ...options }).required('it', () => source.ask()).reply(z.unknown(), ({ it }) => it)
export const fault = aggregate('fault', { url: '/fault', query: z.object({ kind: z.string() }), ...options })
  .required('first', () => source.ask()).required('it', ({ query }) => {
  const kinds = {
    rejection: () => { void Promise.reject(new Error('left alone')) },
    nothing: () => { void Promise.reject(undefined) },
    exception: () => { setImmediate(() => { throw new Error('left alone') }) },
  }
  kinds[query.kind]()
  return new Promise(() => {})
}, { needs: ['first'] }).reply(z.unknown(), ({ it }) => it)
`

/**
 * The service with these aggregates, over an upstream that takes every request and answers none by itself.
 */
export async function hangingService(t: Test, environment: Environment = {}, ...flags: readonly string[]) {
  const answers: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => {
    answers.push(() => socket.write(json('at last')))
  })
  const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions })
  return {
    upstream,
    answers,
    ...(await startService(t, { HEADWATERS_UPSTREAM_SOURCE_ORIGIN: upstream.origin, ...environment }, [
      'serve',
      path,
      ...flags,
    ])),
  }
}
