import { runEntries } from './helpers/run-entries.ts'
import { heads } from './lines/b-heads.ts'

runEntries('B', 'Before and inside the head of an answer', heads)
