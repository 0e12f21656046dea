import { z } from 'zod'
import { ErrorCode, ListOutcome, Outcome } from './outcome-schema.ts'

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
