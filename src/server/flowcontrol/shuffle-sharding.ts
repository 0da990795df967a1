import { createHash } from 'node:crypto';

/** 64 bits that tell a flow from the other flows of all FlowSchemas. */
export function flowHash(flowSchema: string, distinguisher: string): bigint {
  return createHash('sha256').update(`${flowSchema}\0${distinguisher}`).digest().readBigUInt64LE();
}

/**
 * The hand that a hash stands for: `handSize` distinct cards of 0 … `deckSize` - 1, the same ones every time. Two flows
 * rarely share their whole hand, so one that floods its queues leaves most others a free one.
 */
export function dealHand(hash: bigint, deckSize: number, handSize: number): number[] {
  const hand: number[] = [];
  /** The hand in ascending order: cards that are gone. */
  const gone: number[] = [];
  let rest = hash;
  for (let left = deckSize; left > 0 && hand.length < handSize; left--) {
    let card = Number(rest % BigInt(left));
    rest /= BigInt(left);
    let at = 0;
    for (; at < gone.length && card >= gone[at]!; at++) card++;
    gone.splice(at, 0, card);
    hand.push(card);
  }
  return hand;
}
