import { join } from 'node:path'
import { explain, type ExplainOptions } from '../../../src/explain/explain.ts'
import type { ExplainedCall, ExplainedStep, Explanation } from '../../../src/explain/explanation.ts'
import type { AnyAggregate } from '../../../src/fanout/aggregate.ts'
import type { RawInput } from '../../../src/fanout/input.ts'

const root = join(import.meta.dirname, '../../..')

/** Explains an aggregate without overrides. */
export function explained(
  aggregate: AnyAggregate,
  input: RawInput = {},
  options: Partial<ExplainOptions> = {},
): Promise<Explanation> {
  return explain(aggregate, input, { overrides: {}, variableOf: () => undefined, folder: root, ...options })
}

/** Returns one step of an explanation. */
export function stepOf({ steps }: Explanation, name: string): ExplainedStep {
  const step = steps.find(each => each.name === name)
  if (step === undefined) throw new Error(`no step ${name}`)
  return step
}

/** Returns the targets of the calls of a step. */
export function pathsOf(explanation: Explanation, name: string): readonly string[] {
  return stepOf(explanation, name).calls.map(({ path }) => path)
}

/** Returns the only call of a step. */
export function callOf(explanation: Explanation, name: string): ExplainedCall {
  const [call, ...others] = stepOf(explanation, name).calls
  if (call === undefined || others.length > 0) throw new Error(`${name} has ${others.length + 1} calls`)
  return call
}
