import { printableLines } from '../../log/printable.ts'

/**
 * Writes JSON to stdout. On a terminal, control characters are replaced by their JSON escapes, so the value of the JSON
 * stays the same.
 */
export function writeOutput(text: string): void {
  process.stdout.write(process.stdout.isTTY ? printableLines(text) : text)
}
