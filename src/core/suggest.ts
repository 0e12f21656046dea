/** Returns `: did you mean 'x'?` with the nearest known word, or an empty text if no known word is near. */
export function suggest(word: string, known: Iterable<string>): string {
  let best: string | undefined
  // The edit distance may be a third of the length. It may always be 2, because two swapped letters have distance 2.
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const each of known) {
    const distance = editDistance(word.toLowerCase(), each.toLowerCase())
    const isBeginning = word.length > 2 && each.startsWith(word)
    if (distance < least || (isBeginning && best === undefined)) {
      best = each
      least = Math.min(least, distance)
    }
  }
  return best === undefined ? '' : `: did you mean '${best}'?`
}

/** Returns the number of letters that must be inserted, removed or changed to turn one word into the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
