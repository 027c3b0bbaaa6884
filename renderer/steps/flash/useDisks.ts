/** The disks of this laptop, listed anew whenever main says that they changed, the image is another one, or a person asks. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ErrorReply } from '../../../preload/contract/errors.ts';
import type { DiskList } from '../../../preload/contract/flash.ts';
import { call, replyOf } from '../../api.ts';
import { useDesk } from '../../stores/desk.ts';

export interface DisksState {
  /** Null before the first answer. The list before stays while it is made anew. */
  list: DiskList | null;
  error: ErrorReply | null;
  asking: boolean;
  again: () => void;
}

/** `image`: what the disks are judged for; null for none. `shown`: false asks nothing, as a page without a list needs none. */
export function useDisks(session: string, image: string | null, shown: boolean): DisksState {
  const changed = useDesk((s) => s.disksChanged);
  const [list, setList] = useState<DiskList | null>(null);
  const [error, setError] = useState<ErrorReply | null>(null);
  const [asking, setAsking] = useState(false);
  const asked = useRef(0);
  const again = useCallback(() => {
    const number = ++asked.current;
    setAsking(true);
    call('flash.disks', { session, image })
      .then(
        (found) => ({ found, why: null }),
        (thrown: unknown) => ({ found: null, why: replyOf(thrown) }),
      )
      .then(({ found, why }) => {
        // A later question has a newer answer.
        if (number !== asked.current) return;
        setAsking(false);
        setList(found);
        setError(why);
      })
      .catch(() => undefined);
  }, [session, image]);
  useEffect(() => {
    if (shown) again();
    return () => {
      asked.current += 1;
    };
  }, [again, changed, shown]);
  return { list, error, asking, again };
}
