import { Problem } from '../../errors.ts'
import type { KeptRuns } from '../../kept/kept-runs.ts'
import type { RunFilter, RunSource } from '../../kept/run-source.ts'
import type { KeptRun, RunList } from '../../waterfall/kept-run.ts'
import type { Answers } from './answers.ts'
import { joinRunLists } from './join-run-lists.ts'
import { readRun, readRunList } from './read-kept-runs.ts'
import type { RunningWorkers } from './running-workers.ts'

/** Answers the questions of the primary about the kept runs of this worker. */
export function answerKeptRuns(answers: Answers, kept: Pick<KeptRuns, 'find' | 'list'>): void {
  answers.set('run', id => JSON.stringify(kept.find(id) ?? null))
  answers.set('runs', filter => JSON.stringify(kept.list(JSON.parse(filter) as RunFilter)))
}

/**
 * The kept runs of all workers, for the primary. Each question waits at most one second. A list names the workers that
 * did not answer.
 */
export class WorkersRuns implements RunSource {
  readonly #running: Pick<RunningWorkers, 'ask'>

  constructor(running: Pick<RunningWorkers, 'ask'>) {
    this.#running = running
  }

  /**
   * Returns a kept run as soon as one worker has it.
   *
   * @throws `Problem` if no worker has it and a worker did not answer.
   */
  find(id: string): Promise<KeptRun | undefined> {
    const asked = this.#running.ask('run', id)
    return new Promise((resolve, reject) => {
      const silent: number[] = []
      const reading = asked.map(async ({ worker, answer }) => {
        const run = readRun(await answer)
        if (run === undefined) silent.push(worker)
        else if (run !== null) resolve(run)
      })
      void Promise.all(reading).then(() => {
        if (silent.length === 0) resolve(undefined)
        else reject(new Problem('NOT_FOUND', { detail: silentDetail(silent) }))
      })
    })
  }

  /** Returns the kept runs of all workers that answer. */
  async list(filter: RunFilter): Promise<RunList> {
    const lists: RunList[] = []
    const silent: number[] = []
    await Promise.all(
      this.#running.ask('runs', JSON.stringify(filter)).map(async ({ worker, answer }) => {
        const list = readRunList(await answer)
        if (list === undefined) silent.push(worker)
        else lists.push(list)
      }),
    )
    return joinRunLists(lists, silent, filter.limit)
  }
}

function silentDetail(workers: readonly number[]): string {
  const names = [...new Set(workers)].sort((one, other) => one - other).join(', ')
  return workers.length === 1
    ? `No other worker has kept this run, and worker ${names} did not answer within a second: ask again.`
    : `No other worker has kept this run, and the workers ${names} did not answer within a second: ask again.`
}
