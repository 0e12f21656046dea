import { runEntries } from './helpers/run-entries.ts'
import { framing } from './lines/c-framing.ts'

runEntries('C', 'How a body is framed', framing)
