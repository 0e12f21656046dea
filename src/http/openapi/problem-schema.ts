import { z } from 'zod'
import { ErrorCode, ListOutcome, Outcome } from './outcome-schema.ts'

const Fault = z
  .object({
    pointer: z.string().describe('Where it is: a JSON Pointer into the request, for example `/query/count`.'),
    reason: z.string().describe('Why it is refused.'),
  })
  .describe('One fault of the input.')
  .meta({ id: 'Fault' })

/** What every failure is answered with. */
export const ProblemBody = z
  .object({
    type: z.string().describe('Names the kind of problem: a URN made of the code.'),
    title: z.string().describe('The kind of problem in words.'),
    status: z.int().min(400).max(599).describe('The HTTP status.'),
    detail: z.string().describe('What went wrong this time.'),
    code: ErrorCode.describe('What went wrong, for programs.'),
    instance: z.string().optional().describe('Names this request: a URN that ends with its `x-request-id`.'),
    errors: z.array(Fault).optional().describe('Every fault of the input, in all of its parts.'),
    sources: z
      .record(z.string(), z.union([Outcome, ListOutcome]))
      .optional()
      .describe('How each step ended, by name, where any was begun.'),
  })
  .describe('A failure, as RFC 9457 writes it.')
  .meta({ id: 'Problem' })
