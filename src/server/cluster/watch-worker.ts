import type { FastifyInstance } from 'fastify'
import type { Catalogue } from '../../definitions/catalogue.ts'
import type { KeptRuns } from '../../kept/kept-runs.ts'
import { samplerOf } from '../process/samplers.ts'
import { watchedOf } from '../process/watched-names.ts'
import type { Channel } from './channel.ts'
import { answerKeptRuns } from './kept-channel.ts'

export interface WatchedService {
  readonly catalogue: Catalogue
  readonly app: FastifyInstance
  /** The kept runs of the worker; `undefined` if runs are not kept. */
  readonly keptRuns: KeptRuns | undefined
}

/** Lets the primary read the kept runs of this worker, and watch it for the dashboard. */
export function watchWorker({ answers, overview }: Channel, { catalogue, app, keptRuns }: WatchedService): void {
  if (keptRuns !== undefined) answerKeptRuns(answers, keptRuns)
  const sampler = samplerOf(app)
  if (sampler === undefined) return
  answers.set('names', () => JSON.stringify(watchedOf(catalogue)))
  overview.watched = {
    take: () => sampler.take(),
    onKept: kept => keptRuns?.onKept(kept) ?? (() => {}),
  }
  sampler.onBreakerChange = (upstream, from, to) =>
    overview.breakerChanged({ type: 'breaker', at: Date.now(), upstream, from, to })
}
