import type { Test } from 'tap'
import { definitionsFolder } from './definitions-folder.ts'
import { json, rawUpstream, type RawUpstream } from './raw-upstream.ts'

/** The deadline of the aggregate, in ms. */
export const mixedDeadline = 2000

const answerMs = 200

/**
 * Starts an upstream, and writes the definitions of an aggregate whose run has a hedge, a retry after a pause, a wait
 * for a permit, a call that is cancelled, and a step that ends with the deadline.
 */
export async function mixedRun(t: Test): Promise<{ readonly path: string; readonly upstream: RawUpstream }> {
  const asked = new Map<string, number>()
  const upstream = await rawUpstream(t, (socket, { path }) => {
    const times = (asked.get(path) ?? 0) + 1
    asked.set(path, times)
    const answer = () => socket.write(path === '/busy' && times % 2 === 1 ? busy : json(1))
    if (path === '/never' || (path === '/slow' && times % 2 === 1)) return
    setTimeout(answer, answerMs)
  })
  const { path } = definitionsFolder(t, { 'mixed.mjs': definitions(upstream.origin) })
  return { path, upstream }
}

const busy = json(1, 503, { 'retry-after': '1' })

const definitions = (origin: string) => `
import { aggregate, defineUpstream, operation, times } from 'headwaters'
import { z } from 'zod'

const one = path => ({ it: operation({ path, output: z.number() }) })
const origin = '${origin}'
const hedged = defineUpstream('hedged', { origin, hedge: { delay: ${answerMs}, maxRatio: 1 } }, one('/slow'))
const busy = defineUpstream('busy', { origin, retry: { maxAttempts: 2 } }, one('/busy'))
const narrow = defineUpstream('narrow', { origin, concurrency: 1 }, one('/plain'))
const dead = defineUpstream('dead', { origin, attemptTimeout: 60_000 }, one('/never'))

export const mixed = aggregate('mixed', { url: '/mixed', deadline: ${mixedDeadline} })
  .optional('slow', () => hedged.it(), { fallback: null })
  .optional('again', () => busy.it(), { fallback: null })
  .each('queued', () => times(2, () => narrow.it()))
  .firstOf('fastest', () => [narrow.it(), dead.it()], { needs: ['queued'] })
  .optional('never', () => dead.it(), { fallback: null })
  .reply(z.unknown(), () => 1)

export const hung = aggregate('hung', { url: '/hung', deadline: 60_000 })
  .required('never', () => dead.it())
  .reply(z.unknown(), () => 1)
`
