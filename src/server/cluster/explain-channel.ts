import { errors, Problem, type ErrorCode, type Fault } from '../../errors.ts'
import type { Explainer, Question } from '../../explain/explainer.ts'
import type { Explanation, ListedAggregate } from '../../explain/explanation.ts'
import type { ExplanationSource } from '../../http/operator/explain-route.ts'
import type { Answers } from './answers.ts'
import { isList, isNumber, isObject, isText, parsed } from './message-values.ts'
import type { Topic } from './messages.ts'
import type { RunningWorkers } from './running-workers.ts'

/** The problem of a question, as it is sent to another process. */
interface SentProblem {
  readonly code: ErrorCode
  readonly detail: string
  readonly faults?: readonly Fault[] | undefined
  readonly retryAfterSeconds?: number | undefined
}

/** Answers the questions of the primary about what the aggregates of this worker would send. */
export function answerExplanations(answers: Answers, explainer: Pick<Explainer, 'list' | 'explain'>): void {
  answers.set('aggregates', () => JSON.stringify({ aggregates: explainer.list() }))
  answers.set('explain', async text => {
    const { name, question } = JSON.parse(text) as { readonly name: string; readonly question: Question }
    try {
      return JSON.stringify({ explanation: await explainer.explain(name, question) })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const { code, detail, faults, retryAfterSeconds } = error
      return JSON.stringify({ problem: { code, detail, faults, retryAfterSeconds } satisfies SentProblem })
    }
  })
}

/**
 * The explanations of a service of workers. The first worker that runs explains: it has the present definitions, and a
 * step function that blocks its process blocks neither the primary nor another worker.
 */
export class WorkersExplainer implements ExplanationSource {
  readonly #running: Pick<RunningWorkers, 'askOne'>

  constructor(running: Pick<RunningWorkers, 'askOne'>) {
    this.#running = running
  }

  /** @throws Problem `OVERLOADED` if no worker answers. */
  async list(): Promise<readonly ListedAggregate[]> {
    const { aggregates } = await this.#ask('aggregates', '')
    if (!isList(aggregates, isListed)) throw noAnswer('No worker could list the aggregates: ask again.')
    return aggregates
  }

  /** Returns the route of an aggregate. For an unknown name it throws the problem of `explain`. */
  async find(name: string): Promise<{ readonly route: { readonly url: string } }> {
    const found = (await this.list()).find(each => each.name === name)
    if (found !== undefined) return { route: found }
    await this.explain(name, { input: {} })
    throw new Problem('NOT_FOUND')
  }

  /** @throws Problem with the code that the worker has thrown; `OVERLOADED` if no worker answers. */
  async explain(name: string, question: Question): Promise<Explanation> {
    const { explanation, problem } = await this.#ask('explain', JSON.stringify({ name, question }))
    if (isProblem(problem)) throw received(problem)
    if (!isExplanation(explanation)) throw noAnswer('The worker could not explain the aggregate: ask again.')
    return explanation
  }

  async #ask(topic: Topic, text: string): Promise<Readonly<Record<string, unknown>>> {
    const asked = this.#running.askOne(topic, text)
    if (asked === undefined) throw noAnswer('No worker is running: ask again.')
    const value = parsed(await asked.answer)
    if (!isObject(value)) throw noAnswer(`Worker ${asked.worker} did not answer: ask again.`)
    return value
  }
}

function received({ code, detail, faults, retryAfterSeconds }: SentProblem): Problem {
  return new Problem(code, {
    detail,
    ...(faults !== undefined && { faults }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
}

function noAnswer(detail: string): Problem {
  return new Problem('OVERLOADED', { detail, retryAfterSeconds: 1 })
}

function isListed(value: unknown): value is ListedAggregate {
  if (!isObject(value)) return false
  const { name, method, url, fields } = value
  return isText(name) && isText(method) && isText(url) && isList(fields, isObject)
}

function isExplanation(value: unknown): value is Explanation {
  if (!isObject(value)) return false
  const { aggregate, method, url, limits, steps, upstreams, service } = value
  return (
    isText(aggregate) &&
    isText(method) &&
    isText(url) &&
    isList(limits, isObject) &&
    isList(steps, isObject) &&
    isObject(upstreams) &&
    isObject(service)
  )
}

function isProblem(value: unknown): value is SentProblem {
  if (!isObject(value)) return false
  const { code, detail, faults = [], retryAfterSeconds = 1 } = value
  return (
    isText(code) &&
    Object.hasOwn(errors, code) &&
    isText(detail) &&
    isList(faults, isFault) &&
    isNumber(retryAfterSeconds)
  )
}

function isFault(value: unknown): value is Fault {
  return isObject(value) && isText(value['pointer']) && isText(value['reason'])
}
