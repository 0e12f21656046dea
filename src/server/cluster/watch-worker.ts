import type { FastifyInstance } from 'fastify'
import type { Partition } from '../../core/partition.ts'
import type { Catalogue } from '../../definitions/catalogue.ts'
import type { KeptRuns } from '../../kept/kept-runs.ts'
import { samplerOf } from '../process/samplers.ts'
import { watchedOf } from '../process/watched-names.ts'
import { serviceExplainer } from '../process/service-app.ts'
import type { Channel } from './channel.ts'
import { answerExplanations } from './explain-channel.ts'
import { answerKeptRuns } from './kept-channel.ts'

export interface WatchedService {
  readonly catalogue: Catalogue
  readonly app: FastifyInstance
  /** The share of the limits that the worker has. */
  readonly partition: Partition
  /** The kept runs of the worker; `undefined` if runs are not kept. */
  readonly keptRuns: KeptRuns | undefined
}

/** Lets the primary ask this worker for explanations and kept runs, and watch it for the dashboard. */
export function watchWorker(
  { answers, overview }: Channel,
  { catalogue, app, partition, keptRuns }: WatchedService,
): void {
  if (catalogue.config.admin.listener === undefined) return
  answerExplanations(answers, serviceExplainer(catalogue, app, partition))
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
