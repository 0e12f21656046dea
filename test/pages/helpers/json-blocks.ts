import { errors } from '../../../src/errors.ts'

/** A kind of JSON that pages show. */
interface JsonKind {
  readonly isOf: (value: Readonly<Record<string, unknown>>) => boolean
  /** Its type in TypeScript, against which the block is type-checked. */
  readonly type: string
  /** Returns what its type does not say. */
  readonly faults: (value: Readonly<Record<string, unknown>>) => string[]
}

const kinds: readonly JsonKind[] = [
  {
    isOf: value => 'sources' in value && 'data' in value,
    type: "{ data: unknown, complete: boolean, sources: Record<string, import('src/fanout/outcome.ts').Outcome> }",
    faults({ complete, sources }) {
      const outcomes = Object.values(
        sources as Readonly<Record<string, { readonly state: string; readonly code?: string }>>,
      )
      const isComplete = outcomes.every(({ state }) => state === 'ok' || state === 'skipped')
      return [
        ...(complete === isComplete ? [] : [`complete must be ${isComplete}`]),
        ...outcomes.flatMap(({ code }) => (code === undefined || code in errors ? [] : `there is no code ${code}`)),
      ]
    },
  },
  {
    isOf: value => 'why' in value && 'steps' in value,
    type: "import('src/waterfall/kept-run.ts').KeptRun",
    faults: () => [],
  },
  {
    isOf: value => 'aggregate' in value && 'steps' in value,
    type: "import('src/explain/explanation.ts').Explanation",
    faults: () => [],
  },
  {
    isOf: value => 'calls' in value,
    type: `{
      calls: { id: string, operation: string, input?: unknown, needs?: string[], optional?: boolean }[],
      deadlineMs?: number,
    }`,
    faults: () => [],
  },
  {
    isOf: value => 'results' in value,
    type: "import('src/batch/result.ts').BatchReply",
    faults: () => [],
  },
  {
    isOf: value => 'title' in value && 'status' in value && 'code' in value,
    type: "import('test/helpers/problem.ts').ProblemBody & { instance: string }",
    faults({ code, type, title, status }) {
      const row = errors[code as keyof typeof errors] as (typeof errors)[keyof typeof errors] | undefined
      if (row === undefined) return [`there is no code ${String(code)}`]
      const inCode = {
        type: `urn:headwaters:problem:${String(code).toLowerCase().replaceAll('_', '-')}`,
        title: row.title,
        status: row.status,
      }
      return Object.entries(inCode)
        .filter(([name, value]) => ({ type, title, status })[name] !== value)
        .map(([name, value]) => `${name} must be ${value}`)
    },
  },
  {
    // A test of the log compares the line with one that the service writes.
    isOf: value => 'msg' in value && 'level' in value,
    type: "import('test/helpers/log-line.ts').LoggedFailure",
    faults: ({ code }) => (String(code) in errors ? [] : [`there is no code ${String(code)}`]),
  },
]

/** Reads a block of JSON: its faults, and its type for the check of types. A value of no known kind is a fault. */
export function readJsonBlock(code: string): { readonly faults: string[]; readonly type: string | undefined } {
  let value: Readonly<Record<string, unknown>>
  try {
    value = JSON.parse(code) as Readonly<Record<string, unknown>>
  } catch (error) {
    return { faults: [(error as Error).message], type: undefined }
  }
  const kind = kinds.find(each => each.isOf(value))
  if (kind === undefined) return { faults: ['no check for JSON like this'], type: undefined }
  return { faults: kind.faults(value), type: kind.type }
}
