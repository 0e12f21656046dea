import { z } from 'zod'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { ErrorCode, ListOutcome, Outcome } from './outcome-schema.ts'
import { OutcomeState } from './outcome-state.ts'

const Fault = z
  .object({
    pointer: z.string().describe('The JSON Pointer of the input, for example `/query/count`.'),
    reason: z.string().describe('The reason of the refusal.'),
  })
  .describe('A fault of the input.')
  .meta({ id: 'Fault' })

/** The body of a problem reply. */
export const ProblemBody = z
  .object({
    type: z.string().describe('The problem type: a URN with the code.'),
    title: z.string().describe('A short summary of the problem type.'),
    status: z.int().min(400).max(599).describe('The HTTP status.'),
    detail: z.string().describe('The explanation of this problem.'),
    code: ErrorCode.describe('The error code.'),
    instance: z.string().optional().describe('The URN of this request, which ends with its `x-request-id`.'),
    errors: z.array(Fault).optional().describe('All faults of the input.'),
    sources: z
      .record(z.string(), z.union([Outcome, ListOutcome]))
      .optional()
      .describe('The outcome of each step by its name, if a run was started.'),
  })
  .describe('A problem (RFC 9457).')
  .meta({ id: 'Problem' })

const ProblemWithStates = ProblemBody.extend({
  sources: z
    .record(z.string(), OutcomeState)
    .optional()
    .describe('The state of each step by its name, if a run was started.'),
})
  .describe('A problem (RFC 9457).')
  .meta({ id: 'ProblemWithStates' })

const ProblemWithoutSources = ProblemBody.omit({ sources: true })
  .describe('A problem (RFC 9457).')
  .meta({ id: 'ProblemWithoutSources' })

/** The members of a problem that an aggregate declares: their values are those of the author. */
const declared = {
  type: z.string().describe('The problem type: a URI.'),
  code: z.string().describe('The code of the problem: one of the aggregate, or an error code.'),
  errors: z.array(Fault).optional().describe('Single faults of the request.'),
}
const words = 'A problem (RFC 9457) that an aggregate declares.'

/** The schemas of problems: those of the service, and those that an aggregate declares. */
interface ProblemSchemas {
  /** The end of the names of shared responses. */
  readonly suffix: string
  readonly own: z.ZodType
  readonly declared: z.ZodType
}

/** The schemas of problems by the part of the sources that callers see. */
export const problemSchemas: Readonly<Record<SourcesLevel, ProblemSchemas>> = {
  full: {
    suffix: '',
    own: ProblemBody,
    declared: ProblemBody.extend(declared).describe(words).meta({ id: 'DeclaredProblem' }),
  },
  states: {
    suffix: 'WithStates',
    own: ProblemWithStates,
    declared: ProblemWithStates.extend(declared).describe(words).meta({ id: 'DeclaredProblemWithStates' }),
  },
  none: {
    suffix: 'WithoutSources',
    own: ProblemWithoutSources,
    declared: ProblemWithoutSources.extend(declared).describe(words).meta({ id: 'DeclaredProblemWithoutSources' }),
  },
}
