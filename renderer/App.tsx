/** The frame: who and where in the top bar, steps at the left, the step in the middle, the dock below. */
import { Box } from '@mantine/core';
import { useEffect } from 'react';
import { Questions } from './components/Questions.tsx';
import { StepList } from './components/StepList.tsx';
import { TopBar } from './components/TopBar.tsx';
import { FirstScreen } from './first/FirstScreen.tsx';
import { VIEWS } from './steps/index.ts';
import { listen, loadCards, useDesk } from './stores/desk.ts';

export function App() {
  const box = useDesk((s) => s.box);
  const step = useDesk((s) => s.step);
  useEffect(() => {
    const end = listen();
    void loadCards();
    return end;
  }, []);
  const View = VIEWS[step];
  return (
    <Box h="100%" display="flex" style={{ flexDirection: 'column' }}>
      {box && <TopBar box={box} />}
      <Box flex={1} mih={0} display="flex">
        {box && <StepList box={box} step={step} />}
        <Box component="main" flex={1} miw={0}>
          {box ? <View key={box.session.id} box={box} /> : <FirstScreen />}
        </Box>
      </Box>
      <Questions />
    </Box>
  );
}
